"""What every picture of a result is made of: strangers' text made visible, excerpts, the parts of a terminal screen."""
