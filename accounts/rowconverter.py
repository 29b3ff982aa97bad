"""`<row:name>` in addresses: the number of a row, with digits that databases take."""

from django.urls import register_converter
from django.urls.converters import IntConverter


class RowConverter(IntConverter):
    """As <int:name>, bounded."""

    regex = "[0-9]{1,18}"


register_converter(RowConverter, "row")
