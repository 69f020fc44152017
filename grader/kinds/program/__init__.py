"""Labs whose students hand in a program that sends mail: it is run against submission servers (RFC 6409)."""
