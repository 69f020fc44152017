"""The field's own formats, each read in exactly one place, with the position of everything that is read."""
