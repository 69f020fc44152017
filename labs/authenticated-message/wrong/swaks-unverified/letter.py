"""Prints the message that the environment describes, with its dots doubled and the last one (RFC 5321 section 4.5.2)."""

import os
import sys
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import localtime, make_msgid

mail = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
mail["Date"] = localtime()
mail["From"] = Address(os.environ["MAIL_FROM_NAME"], addr_spec=os.environ["MAIL_FROM"])
for field, variable in (("To", "MAIL_TO"), ("Cc", "MAIL_CC")):
    if os.environ[variable]:
        mail[field] = ", ".join(os.environ[variable].split(","))
mail["Subject"] = os.environ["MAIL_SUBJECT"]
mail["Message-ID"] = make_msgid(domain=os.environ["MAIL_FROM"].split("@")[1])
with open(os.environ["MAIL_BODY_FILE"], encoding="utf-8") as file:
    mail.set_content(file.read())
sys.stdout.buffer.write(bytes(mail).replace(b"\r\n.", b"\r\n..") + b".")
