"""User stores: the file store, and what every other store needs to answer alike.

=================  ===================================================================================
``file``           :class:`FileUsers`, a TOML file that is followed as it changes
``checking``       :class:`Credentials`: the judgement itself, the same for every store
``records``        what a store knows of a user
``hashing``        argon2id, few at a time
``turns``          who may hash, and in which order
``cache``          who was authenticated a moment ago
``reading``        the file's form
``writing``        writing it: ``wsprovider users`` and the first run
``development``    the users of the first run
``opening``        choosing a store by name
=================  ===================================================================================
"""
