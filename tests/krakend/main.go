// Evaluates the expressions of `validation/cel` on the claims of tokens as KrakenD does (krakend-cel 2.4), with its
// library and its declarations: an expression is evaluated at each stage whose word is in its text, and one that
// cannot be read is skipped.
//
// Usage: krakend-cel POLICY < CLAIMS. It prints the number of expressions of each stage, and then for each line of
// claims whether the token is let through.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/google/cel-go/cel"
)

// The words of the stages: before the backend, after it, and about the token.
var stages = []string{"req", "resp", "JWT"}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	text, err := os.ReadFile(os.Args[1])
	if err != nil {
		return err
	}
	var policy struct {
		Expressions []struct {
			Check string `json:"check_expr"`
		} `json:"validation/cel"`
	}
	if err := json.Unmarshal(text, &policy); err != nil {
		return err
	}
	programs := map[string][]cel.Program{}
	for _, expression := range policy.Expressions {
		for _, stage := range stages {
			if !strings.Contains(expression.Check, stage) {
				continue
			}
			program, err := compiled(expression.Check)
			if err != nil {
				fmt.Fprintf(os.Stderr, "skipped: %.300v\n", err)
				continue
			}
			programs[stage] = append(programs[stage], program)
		}
	}
	for _, stage := range stages {
		fmt.Printf("%s %d\n", stage, len(programs[stage]))
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		claims := map[string]any{}
		if err := json.Unmarshal(lines.Bytes(), &claims); err != nil {
			return err
		}
		fmt.Println(lets(programs["JWT"], claims))
	}
	return lines.Err()
}

func compiled(expression string) (cel.Program, error) {
	values := cel.MapType(cel.StringType, cel.ListType(cel.StringType))
	env, err := cel.NewEnv(
		cel.Variable("now", cel.StringType),
		cel.Variable("req_method", cel.StringType),
		cel.Variable("req_path", cel.StringType),
		cel.Variable("req_params", cel.MapType(cel.StringType, cel.StringType)),
		cel.Variable("req_headers", values),
		cel.Variable("req_querystring", values),
		cel.Variable("resp_completed", cel.BoolType),
		cel.Variable("resp_metadata_status", cel.IntType),
		cel.Variable("resp_metadata_headers", values),
		cel.Variable("resp_data", cel.MapType(cel.StringType, cel.DynType)),
		cel.Variable("JWT", cel.MapType(cel.StringType, cel.DynType)),
	)
	if err != nil {
		return nil, err
	}
	checked, issues := env.Compile(expression)
	if issues != nil && issues.Err() != nil {
		return nil, issues.Err()
	}
	return env.Program(checked)
}

func lets(programs []cel.Program, claims map[string]any) bool {
	for _, program := range programs {
		result, _, err := program.Eval(map[string]any{"JWT": claims, "now": "2026-01-01T00:00:00Z"})
		if err != nil || result.Value() != true {
			return false
		}
	}
	return true
}
