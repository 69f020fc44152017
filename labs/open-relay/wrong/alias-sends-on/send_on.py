"""Sends a message on to everybody whom its header names."""

import email
import smtplib
import sys
from email.utils import getaddresses

message = email.message_from_binary_file(sys.stdin.buffer)
readers = [address for _, address in getaddresses(message.get_all("To", []))]
with smtplib.SMTP("127.0.0.1", 25) as server:
    server.sendmail("scanner@@domain@", readers, message.as_bytes())
