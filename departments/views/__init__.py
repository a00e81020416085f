"""The pages about departments, people, oneself and what was done: a file for each."""
