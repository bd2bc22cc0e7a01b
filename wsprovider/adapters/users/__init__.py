"""User stores: file, SQL and LDAP, and what every store needs to answer alike.

=================  ===================================================================================
``opening``        choosing a store by its settings file
``settings``       what all settings files have in common
``followed``       a store whose settings files are followed as they change
``file``           :class:`FileUsers`, a TOML file that is followed as it changes
``reading``        the file's form
``writing``        writing it: ``wsprovider users`` and the first run
``sql``            :class:`SqlUsers`, tables or a query of a database
``sql_settings``   what their settings say
``sql_tables``     their statements, and what rows say
``sql_editing``    changing them
``ldap``           :class:`LdapUsers`, a directory that proves passwords itself
``ldap_settings``  what their settings say
``directory``      its connections
``groups``         its groups as roles
``editing``        changing users, whatever the store: ``wsprovider users``
``checking``       :class:`Credentials`: the judgement itself, the same for every store
``records``        what a store knows of a user
``hashing``        argon2id, few at a time
``turns``          who may hash or bind, and in which order
``cache``          who was authenticated a moment ago
``development``    the users of the first run
=================  ===================================================================================
"""
