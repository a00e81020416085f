"""What rules name: lists of people outside, and campaigns. How they are read, kept, shown and used."""
