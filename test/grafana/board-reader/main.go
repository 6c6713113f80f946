// Reads a board from stdin as Grafana's own model has it, and writes what it understood to stdout, in the
// same form. What the model does not know is missing there.
package main

import (
	"encoding/json"
	"io"
	"log"
	"os"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

func main() {
	log.SetFlags(0)
	plugins.RegisterDefaultPlugins()
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		log.Fatal(err)
	}
	var board dashboard.Dashboard
	if err := json.Unmarshal(text, &board); err != nil {
		log.Fatal(err)
	}
	// An empty list of errors is none.
	if err := board.Validate(); err != nil && err.Error() != "" {
		log.Fatal(err)
	}
	understood, err := json.Marshal(board)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := os.Stdout.Write(understood); err != nil {
		log.Fatal(err)
	}
}
