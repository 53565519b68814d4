package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestGreeting(t *testing.T) {
	if got := Greeting("you"); got != "hello, you" {
		t.Fatalf("got %q", got)
	}
}

// A server on loopback works: the sandbox has a loopback network of its own.
func TestServer(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	answer, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusNotFound {
		t.Fatal(answer.Status)
	}
}
