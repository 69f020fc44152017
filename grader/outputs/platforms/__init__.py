"""What single course platforms and code hosts ingest: one file a format, each with its consumer's own rules."""
