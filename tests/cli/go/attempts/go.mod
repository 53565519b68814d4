module attempts

go 1.21
