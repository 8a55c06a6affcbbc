"""The type of a column that the database counts up."""

from sqlalchemy import BigInteger

COUNTER = BigInteger
