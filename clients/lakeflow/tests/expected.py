"""What a table holds, made from the simulated library by the rules of the contract alone."""

from typing import Any

from pyspark.sql.types import ArrayType, DataType, StructType


def rows_of(table: str, items: list[Any], schema: StructType) -> list[dict[str, Any]]:
    """The rows that a table has for a list of Spotify's items, in their order."""
    rows = []
    for place, item in enumerate(items, 1):
        row = _with_local_id(table, item)
        if row is None:
            continue
        if table == "playlists":
            # An app in development mode is sent `items` where `tracks` was.
            row = {**row, "tracks": row.get("tracks", row.get("items"))}
        if table in ("top_tracks", "top_artists"):
            row = {**row, "time_range": "medium_term", "rank": place}
        rows.append(_projected(row, schema))
    return rows


def _with_local_id(table: str, item: Any) -> Any:
    """The item; where its track is a file of the owner's own, with its uri as id."""
    if table not in ("tracks", "recently_played") or item is None:
        return item
    track = item["track"]
    if track is None:
        return None
    return {**item, "track": {**track, "id": track["id"] or track["uri"]}}


def _projected(value: Any, kind: DataType) -> Any:
    """A value with the fields of the schema, in its order; an empty object is null."""
    if value is None or value == {}:
        return None
    if isinstance(kind, StructType):
        return {field.name: _projected(value.get(field.name), field.dataType) for field in kind}
    if isinstance(kind, ArrayType):
        return [_projected(item, kind.elementType) for item in value]
    if isinstance(value, str):
        # Half an emoji is no text.
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value
