"""What reports draw of a run of the student's server."""
