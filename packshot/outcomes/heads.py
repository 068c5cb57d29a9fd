"""Recognise the columns of shops' tables of orders, returns and go-live dates, by the columns' names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "order_date": (
        *("order date", "purchase date", "invoicedate", "invoice date", "created at", "date", "ordered at"),
        *("bestelldatum", "kaufdatum", "auftragsdatum", "datum", "date de commande", "date commande"),
        *("fecha de pedido", "fecha pedido", "fecha", "data ordine", "data dell ordine", "data"),
        *("besteldatum", "orderdatum", "data zamowienia", "data do pedido", "data da encomenda"),
    ),
    "return_date": (
        *("return date", "returned at", "day", "rucksendedatum", "retourendatum", "ruckgabedatum", "date de retour"),
        *("date retour", "fecha de devolucion", "fecha devolucion", "data di reso", "data reso"),
        *("retourdatum", "datum retour", "data zwrotu", "data de devolucao", "data da devolucao"),
    ),
    "sku": (
        *("sku", "stockcode", "lineitem sku", "variant sku", "seller sku", "product variant sku", "merchant sku"),
        *("artikelnummer", "artikel nr", "reference article", "reference produit", "ref", "referencia"),
        *("codigo articulo", "codice articolo", "codice prodotto"),
        *("artikelcode", "productcode", "kod produktu", "numer artykulu", "indeks"),
        *("codigo do produto", "codigo do artigo"),
    ),
    "quantity": (
        *("quantity", "lineitem quantity", "quantity purchased", "qty"),
        *("menge", "anzahl", "quantite", "cantidad", "quantita"),
        *("aantal", "ilosc", "sztuk", "quantidade", "qtd"),
    ),
    "returned": (
        *("returned quantity", "quantity returned", "returned", "returns"),
        *("retourniert", "retouren", "retourne", "retournee", "devuelto", "reso", "retourenmenge", "ruckgabemenge"),
        *("quantite retournee", "cantidad devuelta", "quantita resa"),
        *("geretourneerd", "aantal geretourneerd", "zwrocono", "ilosc zwrocona", "zwrocona ilosc"),
        *("devolvido", "quantidade devolvida"),
    ),
    "reason": (
        *("reason", "return reason", "grund", "rucksendegrund", "retourengrund", "raison", "motif", "motif de retour"),
        *("motivo", "motivo de devolucion", "motivo del reso"),
        *("reden", "retourreden", "reden van retour", "powod", "powod zwrotu", "przyczyna", "motivo da devolucao"),
    ),
    "order": (
        *("order id", "amazon order id", "order number", "order name", "name", "invoiceno", "invoice no", "order"),
        *("bestellnummer", "auftragsnummer", "bestell nr", "numero de commande", "commande", "numero de pedido"),
        *("pedido", "numero ordine", "ordine"),
        *("bestelnummer", "ordernummer", "numer zamowienia", "nr zamowienia", "zamowienie"),
        *("numero do pedido", "numero da encomenda", "encomenda"),
    ),
    "customer": (
        *("customerid", "customer id", "customer", "email", "kundennummer", "kunde", "client id", "id client"),
        *("klantnummer", "klant", "numer klienta", "klient", "numero do cliente"),
    ),
    "client": ("client", "brand", "vendor", "marke", "marque", "marca", "merk", "marka"),
    "category": (
        *("category", "product type", "department", "kategorie", "warengruppe", "categorie", "categoria"),
        *("kategoria", "productgroep"),
    ),
}
"""Our column -> heads, in lower case, without accents and punctuation. The first one that a file has counts."""

_LIVE = (
    *("date", "go live", "golive", "go live date", "live", "live since", "datum", "online seit", "fecha", "data"),
    *("online sinds", "online od", "data publikacji", "online desde"),
)

_BARRED = str.maketrans("łŁ", "lL")
"""Letters that no accent is taken off from."""


def known_heads(heads: Sequence[str]) -> dict[str, str]:
    """Return the known columns of orders or returns: head in the file -> Packshot's name for the column.

    Example: "Bestelldatum" -> "order_date". Packshot's names are the keys of `COLUMNS`. Unknown heads are left out.
    Case, accents and punctuation do not matter. If several heads mean the same column, only one comes back: the one
    whose word stands first in `COLUMNS`.

    Args:
        heads: all column heads of a file.
    """
    taken = _taken(heads, COLUMNS)
    if "return_date" in taken and taken.get("order_date") == taken["return_date"]:
        del taken["order_date"]
    return {theirs: ours for ours, theirs in taken.items()}


def golive_heads(heads: Sequence[str]) -> dict[str, str]:
    """Return the known columns of go-live dates: head in the file -> ``sku`` or ``date``. Unknown heads are left out.

    Args:
        heads: all column heads of a file.
    """
    taken = _taken(heads, {"sku": COLUMNS["sku"], "date": _LIVE})
    return {theirs: ours for ours, theirs in taken.items()}


def _taken(heads: Sequence[str], columns: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    known = {_plain(head): head for head in reversed(heads)}
    return {ours: known[word] for ours, words in columns.items() for word in reversed(words) if word in known}


def _plain(head: str) -> str:
    letters = unicodedata.normalize("NFKD", head).replace("ß", "ss").translate(_BARRED)
    letters = "".join(one for one in letters if not unicodedata.combining(one))
    return re.sub(r"[\W_]+", " ", letters).strip().lower()
