from ui import steps

steps.require("embeddings")
steps.next_button("cluster")
