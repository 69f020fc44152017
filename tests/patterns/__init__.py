"""Regular expressions that take strangers' text: no text makes one of them try more ways than it can count."""
