// Talks to a server as Go programs do and prints what it saw, one JSON object: go_client HTTP_URL HTTPS_URL
package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptrace"
	"os"
	"sync"
	"time"
)

const largeBytes = 32 << 20

var (
	upload = make([]byte, 3<<20)
	seen   = map[string]any{}
)

func get(client *http.Client, url string) (int, int, error) {
	response, err := client.Get(url)
	if err != nil {
		return 0, 0, err
	}
	defer response.Body.Close()
	count, err := io.Copy(io.Discard, response.Body)
	return response.StatusCode, int(count), err
}

// send posts the upload and tells whether it came back, and whether 100 came before it.
func send(client *http.Client, url string, body io.Reader, expect bool, trailer http.Header) (bool, bool) {
	continued := false
	trace := &httptrace.ClientTrace{Got100Continue: func() { continued = true }}
	request, err := http.NewRequestWithContext(httptrace.WithClientTrace(context.Background(), trace), http.MethodPost, url, body)
	if err != nil {
		return false, false
	}
	if expect {
		request.Header.Set("Expect", "100-continue")
	}
	request.Trailer = trailer
	response, err := client.Do(request)
	if err != nil {
		return false, continued
	}
	defer response.Body.Close()
	got, err := io.ReadAll(response.Body)
	return err == nil && bytes.Equal(got, upload), continued
}

func many(client *http.Client, base string) bool {
	var waiting sync.WaitGroup
	results := make([]bool, 60)
	for i := range results {
		waiting.Add(1)
		go func() {
			defer waiting.Done()
			path, size := "/1k.bin", 1024
			if i%20 == 0 {
				path, size = "/32m.bin", largeBytes
			}
			status, count, err := get(client, base+path)
			results[i] = err == nil && status == http.StatusOK && count == size
		}()
	}
	waiting.Wait()
	for _, good := range results {
		if !good {
			return false
		}
	}
	return true
}

// giveUp cancels a download after its first bytes.
func giveUp(client *http.Client, url string) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return
	}
	response, err := client.Do(request)
	if err != nil {
		return
	}
	defer response.Body.Close()
	_, _ = io.CopyN(io.Discard, response.Body, 100_000)
}

func talk(name, base string, transport *http.Transport) {
	transport.ExpectContinueTimeout = 10 * time.Second
	client := &http.Client{Transport: transport, Timeout: time.Minute}
	defer client.CloseIdleConnections()
	response, err := client.Get(base + "/hello")
	if err != nil {
		seen[name] = err.Error()
		return
	}
	response.Body.Close()
	seen[name+" version"] = response.Proto
	seen[name+" upload"], _ = send(client, base+"/echo", bytes.NewReader(upload), false, nil)
	echoed, continued := send(client, base+"/echo", bytes.NewReader(upload), true, nil)
	seen[name+" 100-continue"] = echoed && continued
	seen[name+" unknown length"], _ = send(client, base+"/echo", io.MultiReader(bytes.NewReader(upload)), false, nil)
	seen[name+" trailers"], _ = send(client, base+"/echo", io.MultiReader(bytes.NewReader(upload)), false, http.Header{"X-Sum": {"1"}})
	seen[name+" many"] = many(client, base)
	for range 20 {
		giveUp(client, base+"/32m.bin")
	}
	status, _, err := get(client, base+"/hello")
	seen[name+" after cancelled ones"] = err == nil && status == http.StatusOK
}

func main() {
	_, _ = rand.Read(upload)
	plain, secure := os.Args[1], os.Args[2]
	anyCertificate := &tls.Config{InsecureSkipVerify: true}
	priorKnowledge := new(http.Protocols)
	priorKnowledge.SetUnencryptedHTTP2(true)
	onlyHTTP1 := new(http.Protocols)
	onlyHTTP1.SetHTTP1(true)
	talk("http/1.1", plain, &http.Transport{})
	talk("h2c", plain, &http.Transport{Protocols: priorKnowledge})
	talk("http/1.1 over TLS", secure, &http.Transport{TLSClientConfig: anyCertificate.Clone(), Protocols: onlyHTTP1})
	talk("h2", secure, &http.Transport{TLSClientConfig: anyCertificate.Clone(), ForceAttemptHTTP2: true})
	_ = json.NewEncoder(os.Stdout).Encode(seen)
}
