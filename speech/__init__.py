"""Speech in and out: recordings become words, answers become what is read aloud."""
