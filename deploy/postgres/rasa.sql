-- Rasa's conversations have a database of their own.
CREATE DATABASE rasa OWNER shimin;
