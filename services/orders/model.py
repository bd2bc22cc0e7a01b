"""What an order is, in the words of the WSDL: nested types, arrays, dates, decimals and an enumeration."""

from spyne import Array, ComplexModel, Date, DateTime, Decimal, Enum, Fault, Integer32, Unicode

NAMESPACE = "urn:wsprovider:orders"

Text = Unicode(min_len=1, max_len=200, min_occurs=1, nillable=False)
Status = Enum("placed", "cancelled", type_name="Status", __namespace__=NAMESPACE)
Amount = Decimal(total_digits=12, fraction_digits=2, ge=0, type_name="Amount", __namespace__=NAMESPACE)
Sku = Unicode(
    pattern="[A-Z]{2}-[0-9]{4}", type_name="Sku", __namespace__=NAMESPACE, min_occurs=1, nillable=False
)
Quantity = Integer32(
    ge=1, le=1000, type_name="Quantity", __namespace__=NAMESPACE, min_occurs=1, nillable=False
)


class Address(ComplexModel):
    """Where the goods go."""

    __namespace__ = NAMESPACE

    name = Text
    street = Text
    city = Text
    country = Unicode(pattern="[A-Z]{2}", min_occurs=1, nillable=False)


class Line(ComplexModel):
    """One position of an order."""

    __namespace__ = NAMESPACE

    sku = Sku
    quantity = Quantity
    price = Amount(min_occurs=1, nillable=False)


class NewOrder(ComplexModel):
    """What a customer asks for."""

    __namespace__ = NAMESPACE

    deliver_to = Address.customize(min_occurs=1, nillable=False)
    deliver_by = Date
    lines = Array(Line, min_occurs=1, nillable=False)


class Order(ComplexModel):
    """An order as the service keeps it."""

    __namespace__ = NAMESPACE

    number = Integer32
    customer = Unicode
    placed = DateTime
    status = Status
    total = Amount
    content = NewOrder
    remarks = Array(Unicode)


class NoSuchOrder(Fault):
    """There is no order of that number, or it is somebody else's: the caller cannot tell which."""

    __namespace__ = NAMESPACE

    def __init__(self, number: int) -> None:
        super().__init__("Client.NoSuchOrder", f"There is no order {number} of yours.")


class NotPossible(Fault):
    """The order is no longer, or not yet, in a state for that."""

    __namespace__ = NAMESPACE

    def __init__(self, sentence: str) -> None:
        super().__init__("Client.NotPossible", sentence)
