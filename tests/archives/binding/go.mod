module binding

go 1.24
