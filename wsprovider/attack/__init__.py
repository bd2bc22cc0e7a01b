"""The operator's self-test: the catalogue's variants of a service's own message, sent to that running service.

* ``bend``, ``forge``: changes of a genuine message, by whoever has its bytes and by a partner who can sign;
* ``caller``: makes genuine messages, plain or in a conversation, and takes the replies to them;
* ``variants``, ``catalogue``: what is sent, by whom, and which answer is right;
* ``verdict``, ``runner``, ``report``: what came back, judged and told;
* ``line``: the connection. Nothing here floods, follows a redirect, or speaks to a host that nobody named.
"""
