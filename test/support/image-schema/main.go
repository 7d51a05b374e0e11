package main

import (
	"fmt"
	"os"

	"github.com/opencontainers/image-spec/schema"
)

func main() {
	kinds := map[string]schema.Validator{
		"manifest": schema.ValidatorMediaTypeManifest, "index": schema.ValidatorMediaTypeImageIndex,
		"config": schema.ValidatorMediaTypeImageConfig, "layout": schema.ValidatorMediaTypeLayoutHeader,
	}
	failed := false
	for index := 1; index+1 < len(os.Args); index += 2 {
		file, err := os.Open(os.Args[index+1])
		if err == nil {
			err = kinds[os.Args[index]].Validate(file)
		}
		if err != nil {
			fmt.Println(os.Args[index+1], err)
			failed = true
		}
	}
	if failed {
		os.Exit(1)
	}
}
