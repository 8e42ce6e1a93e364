"""What can a person type? Each command reads what was asked, calls one function, and shows the answer."""
