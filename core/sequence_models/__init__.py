"""Segments as small models of behaviour: what comes next, given what came just before.

A mixture says that every user follows one of K such models,

    p(user) = sum_k pi_k prod_t p(event_t | the few events before it, k),

so membership is Bayes' rule, new users need no refitting, and models are compared by how well
they foretell users they have not seen. Two forms share one alphabet of outcomes (`outcomes`): the
fast one counts (`mixture`), the strong one learns (`neural`).
"""
