"""Models by name: which are worth a try, which are here, and how they come here."""
