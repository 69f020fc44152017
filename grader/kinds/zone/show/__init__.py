"""What reports draw of a zone and of what receivers made of it."""
