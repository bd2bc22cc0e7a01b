"""What the ledger holds, in the words of the WSDL: amounts, dates, what may be left out, and what cannot be done."""

from spyne import Array, ComplexModel, Date, DateTime, Decimal, Fault, Integer32, Unicode

NAMESPACE = "urn:wsprovider:ledger"

Amount = Decimal(total_digits=14, fraction_digits=2, type_name="Amount", __namespace__=NAMESPACE)
Positive = Decimal(
    total_digits=14, fraction_digits=2, gt=0, type_name="Positive", __namespace__=NAMESPACE
).customize(min_occurs=1, nillable=False)
Overdraft = Decimal(total_digits=14, fraction_digits=2, ge=0, type_name="Overdraft", __namespace__=NAMESPACE)
Number = Integer32(ge=1, type_name="Number", __namespace__=NAMESPACE, min_occurs=1, nillable=False)
Text = Unicode(min_len=1, max_len=140, min_occurs=1, nillable=False)


class Account(ComplexModel):
    """An account as it stands."""

    __namespace__ = NAMESPACE

    number = Number
    owner = Text
    opened = Date
    balance = Amount
    overdraft = Amount


class NewTransfer(ComplexModel):
    """What is to be booked.

    Whoever gives a reference may send the same order again when an answer got lost: it is booked once.
    """

    __namespace__ = NAMESPACE

    debit = Number
    credit = Number
    amount = Positive
    value_date = Date
    text = Unicode(max_len=140)
    reference = Unicode(min_len=1, max_len=40)


class Transfer(ComplexModel):
    """What was booked, when, and by whom."""

    __namespace__ = NAMESPACE

    number = Number
    debit = Number
    credit = Number
    amount = Amount
    value_date = Date
    text = Unicode
    reference = Unicode
    booked = DateTime
    author = Unicode


class Statement(ComplexModel):
    """The transfers of one account within some days, between its balances before and after them."""

    __namespace__ = NAMESPACE

    account = Account
    before = Amount
    transfers = Array(Transfer)
    after = Amount


class NoSuchAccount(Fault):
    """There is no account of that number."""

    __namespace__ = NAMESPACE

    def __init__(self, number: int) -> None:
        super().__init__("Client.NoSuchAccount", f"There is no account {number}.")


class NotCovered(Fault):
    """The account and its overdraft do not hold that much; nothing was booked."""

    __namespace__ = NAMESPACE

    number = Integer32
    available = Amount

    def __init__(self, number: int, available: object) -> None:
        super().__init__("Client.NotCovered", f"Account {number} has {available} to spend.")
        self.number, self.available = number, available


class NotPossible(Fault):
    """An order that makes no sense; nothing was booked."""

    __namespace__ = NAMESPACE

    def __init__(self, sentence: str) -> None:
        super().__init__("Client.NotPossible", sentence)


class NotAllowed(Fault):
    """The caller may read, and not write."""

    __namespace__ = NAMESPACE

    def __init__(self) -> None:
        super().__init__("Client.NotAllowed", "Only bookkeepers may do that.")
