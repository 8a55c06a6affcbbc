"""The type of a column that the database counts up; this one counts only integers."""

from sqlalchemy import Integer

COUNTER = Integer
