"""True fixes, the ways in which they are broken, and who says that they are."""
