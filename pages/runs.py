from ui import session

session.workspace()
