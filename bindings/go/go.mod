module github.com/always-further/nono-go

go 1.24
