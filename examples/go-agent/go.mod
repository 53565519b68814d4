module go-agent

go 1.24

require github.com/always-further/nono-go v0.0.0

replace github.com/always-further/nono-go => ../../bindings/go
