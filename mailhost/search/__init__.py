"""Full text: a query tree, and an index of folded text in the database's own engine.

Texts and needles are folded before they come here (store.documents.fold): what is
compared is compared as it is. A document belongs to (account, e-mail id). The index may
lag behind the mail, or not be there: whoever asks looks at what is not in it.
"""
