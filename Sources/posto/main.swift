print("posto")
