"""What the HTTP doors of the bus share: problems, who may come in, what an answer says of each row, serving."""
