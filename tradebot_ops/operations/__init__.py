"""What changes the world, and the questions that need several sources. Engine-independent policy lives here."""
