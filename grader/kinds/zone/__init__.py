"""Labs whose students hand in a DNS zone: receivers judge mail by it."""
