"""Labs whose students hand in the configuration of a mail server: it is started and probed."""
