"""What guessing at passwords costs: delays that grow with wrong ones, counted in the store that all workers share.

Three counts, none of which tells whether a user exists: of a *caller* (one user from one address), of an *address*
(all users from it) and of a *user* (from all addresses). The first failures are free; each one after them doubles the
delay, up to a bound.

* A caller and an address have to wait until their delay is over: an attempt before that is refused unheard, and is
  no failure itself.
* The delay of a user is no gate, for a stranger who never stops would always be the first to pass it. It is what each
  address has to wait for itself before that user's password is compared with what comes from there.
* Whoever has given the right password from an address lately is *known* there: neither the address nor the user keeps
  them waiting, and their own failures are counted apart.

An attempt that would have to be waited for afterwards is counted before the password is looked at, by one atomic
change: of attempts at the same time, in whatever workers, one is heard. It is taken back if the password was right.

============  ======================================================================================
``settings``  how delays grow, and how long what is remembered
``counts``    where counts are, and how they are changed
``attempt``   one attempt: admitted or not, and what came of it
============  ======================================================================================
"""
