"""E-mail addresses: an account is stored and looked up under one spelling of its address."""

from unicodedata import normalize

from email_validator import validate_email


def normalize_email(address: str) -> str:
    """The spelling of an address under which its account is stored.

    It has no surrounding blanks, is in lower case and composed (Unicode NFC, RFC 6532, section
    3.1), and an internationalized domain is in Unicode, not in Punycode (RFC 5890).

    Raises:
        ValueError: it is not an address, or has a display name as `Ada <ada@example.org>` has.
    """
    # In this order: lower case may be longer, and the validator checks the length.
    lower = normalize("NFC", address.strip()).lower()
    return validate_email(lower, check_deliverability=False).normalized
