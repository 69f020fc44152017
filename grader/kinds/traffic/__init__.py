"""What kinds share in which mail travels: look-ups into the evidence, sentences, what reports draw of sessions."""
