package repository

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// S3Config says where a bucket is.
type S3Config struct {
	Endpoint  string // host:port; empty is s3.amazonaws.com
	Insecure  bool   // plain HTTP
	Region    string // empty is us-east-1
	Bucket    string
	BasePath  string // below which the files are
	AccessKey string // empty: from the environment, else of the machine's role
	SecretKey string
	PathStyle bool
}

// S3 keeps a repository's files in a bucket.
type S3 struct {
	c      *minio.Client
	bucket string
	base   string
}

// NewS3 makes the client; it asks nothing of the server yet.
func NewS3(cfg S3Config) (*S3, error) {
	if cfg.Endpoint == "" {
		cfg.Endpoint = "s3.amazonaws.com"
	}
	if cfg.Region == "" {
		cfg.Region = "us-east-1"
	}
	creds := credentials.NewChainCredentials([]credentials.Provider{&credentials.EnvAWS{}, &credentials.EnvMinio{}, &credentials.FileAWSCredentials{}, &credentials.IAM{}})
	if cfg.AccessKey != "" {
		creds = credentials.NewStaticV4(cfg.AccessKey, cfg.SecretKey, "")
	}
	look := minio.BucketLookupAuto
	if cfg.PathStyle {
		look = minio.BucketLookupPath
	}
	c, err := minio.New(cfg.Endpoint, &minio.Options{Creds: creds, Secure: !cfg.Insecure, Region: cfg.Region, BucketLookup: look})
	if err != nil {
		return nil, fmt.Errorf("s3 %s: %w", cfg.Endpoint, err)
	}
	base := strings.Trim(cfg.BasePath, "/")
	if base != "" {
		base += "/"
	}
	return &S3{c, cfg.Bucket, base}, nil
}

// Put implements Files.
func (s *S3) Put(ctx context.Context, name string, data []byte) error {
	_, err := s.c.PutObject(ctx, s.bucket, s.base+name, bytes.NewReader(data), int64(len(data)), minio.PutObjectOptions{ContentType: "application/octet-stream"})
	return s.errorOf(name, err)
}

// Get implements Files.
func (s *S3) Get(ctx context.Context, name string) (io.ReadCloser, error) {
	o, err := s.c.GetObject(ctx, s.bucket, s.base+name, minio.GetObjectOptions{})
	if err != nil {
		return nil, s.errorOf(name, err)
	}
	if _, err := o.Stat(); err != nil {
		o.Close()
		return nil, s.errorOf(name, err)
	}
	return o, nil
}

// errorOf tells a file that is not there by fs.ErrNotExist.
func (s *S3) errorOf(name string, err error) error {
	if err == nil {
		return nil
	}
	var e minio.ErrorResponse
	if errors.As(err, &e) && e.Code == "NoSuchKey" {
		return fmt.Errorf("s3 %s/%s: %w", s.bucket, name, fs.ErrNotExist)
	}
	return fmt.Errorf("s3 %s/%s: %w", s.bucket, name, err)
}

// List implements Files.
func (s *S3) List(ctx context.Context, prefix string) ([]string, error) {
	ctx, cancel := context.WithCancel(ctx) // ends the lister when we leave early
	defer cancel()
	var out []string
	for o := range s.c.ListObjects(ctx, s.bucket, minio.ListObjectsOptions{Prefix: s.base + prefix, Recursive: true}) {
		if o.Err != nil {
			return nil, s.errorOf(prefix, o.Err)
		}
		out = append(out, strings.TrimPrefix(o.Key, s.base))
	}
	return out, nil
}

// Remove implements Files.
func (s *S3) Remove(ctx context.Context, names ...string) error {
	for _, n := range names {
		if err := s.c.RemoveObject(ctx, s.bucket, s.base+n, minio.RemoveObjectOptions{}); err != nil {
			return s.errorOf(n, err)
		}
	}
	return nil
}
