"""Column names by which the columns of orders, returns and go-live dates are recognised."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "order_date": (
        *("order date", "purchase date", "invoicedate", "invoice date", "created at", "date", "ordered at"),
        *("bestelldatum", "kaufdatum", "auftragsdatum", "datum", "date de commande", "date commande"),
        *("fecha de pedido", "fecha pedido", "fecha", "data ordine", "data dell ordine", "data"),
    ),
    "return_date": (
        *("return date", "returned at", "day", "rucksendedatum", "retourendatum", "ruckgabedatum", "date de retour"),
        *("date retour", "fecha de devolucion", "fecha devolucion", "data di reso", "data reso"),
    ),
    "sku": (
        *("sku", "stockcode", "lineitem sku", "variant sku", "seller sku", "product variant sku", "merchant sku"),
        *("artikelnummer", "artikel nr", "reference article", "reference produit", "ref", "referencia"),
        *("codigo articulo", "codice articolo", "codice prodotto"),
    ),
    "quantity": (
        *("quantity", "lineitem quantity", "quantity purchased", "qty"),
        *("menge", "anzahl", "quantite", "cantidad", "quantita"),
    ),
    "returned": (
        *("returned quantity", "quantity returned", "returned", "returns"),
        *("retourniert", "retouren", "retourne", "retournee", "devuelto", "reso", "retourenmenge", "ruckgabemenge"),
        *("quantite retournee", "cantidad devuelta", "quantita resa"),
    ),
    "reason": (
        *("reason", "return reason", "grund", "rucksendegrund", "retourengrund", "raison", "motif", "motif de retour"),
        *("motivo", "motivo de devolucion", "motivo del reso"),
    ),
    "order": (
        *("order id", "amazon order id", "order number", "order name", "name", "invoiceno", "invoice no", "order"),
        *("bestellnummer", "auftragsnummer", "bestell nr", "numero de commande", "commande", "numero de pedido"),
        *("pedido", "numero ordine", "ordine"),
    ),
    "customer": ("customerid", "customer id", "customer", "email", "kundennummer", "kunde", "client id", "id client"),
    "client": ("client", "brand", "vendor", "marke", "marque", "marca"),
    "category": ("category", "product type", "department", "kategorie", "warengruppe", "categorie", "categoria"),
}
"""Our column -> heads, in lower case, without accents and punctuation. The first one that a file has counts."""

_LIVE = ("date", "go live", "golive", "go live date", "live", "live since", "datum", "online seit", "fecha", "data")


def known_heads(heads: Sequence[str]) -> dict[str, str]:
    """Return the known columns of orders or returns: head in the file -> our name."""
    taken = _taken(heads, COLUMNS)
    if "return_date" in taken and taken.get("order_date") == taken["return_date"]:
        del taken["order_date"]
    return {theirs: ours for ours, theirs in taken.items()}


def golive_heads(heads: Sequence[str]) -> dict[str, str]:
    """Return the known columns of go-live dates: head in the file -> ``sku`` or ``date``."""
    taken = _taken(heads, {"sku": COLUMNS["sku"], "date": _LIVE})
    return {theirs: ours for ours, theirs in taken.items()}


def _taken(heads: Sequence[str], columns: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    known = {_plain(head): head for head in reversed(heads)}
    return {ours: known[word] for ours, words in columns.items() for word in reversed(words) if word in known}


def _plain(head: str) -> str:
    letters = unicodedata.normalize("NFKD", head).replace("ß", "ss")
    letters = "".join(one for one in letters if not unicodedata.combining(one))
    return re.sub(r"[\W_]+", " ", letters).strip().lower()
