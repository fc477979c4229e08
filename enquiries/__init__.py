"""What surrounds the answer to an enquiry: people, appointments, reminders, its quality."""
