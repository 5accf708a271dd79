"""One file a cause, in rooms by what fails."""
