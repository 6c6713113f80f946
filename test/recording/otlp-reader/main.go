// Reads traces in OTLP/JSON from stdin as the OpenTelemetry Collector does, and writes what it
// understood to stdout, in the same form. What it does not know is missing there.
package main

import (
	"io"
	"log"
	"os"

	"go.opentelemetry.io/collector/pdata/ptrace"
)

func main() {
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		log.Fatal(err)
	}
	traces, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(text)
	if err != nil {
		log.Fatal(err)
	}
	understood, err := (&ptrace.JSONMarshaler{}).MarshalTraces(traces)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := os.Stdout.Write(understood); err != nil {
		log.Fatal(err)
	}
}
