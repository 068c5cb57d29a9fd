#!/bin/sh
# Makes the bucket and the line's own user in MinIO. Safe to repeat: a changed secret key is taken over.
set -eu
export MC_CONFIG_DIR=/tmp/mc
bucket=$PACKSHOT_S3_BUCKET

mc --quiet alias set line http://storage:9000 "$MINIO_ROOT_USER" "$MINIO_ROOT_PASSWORD"
mc --quiet mb --ignore-existing "line/$bucket"

cat > /tmp/policy.json <<JSON
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": ["s3:ListBucket", "s3:GetBucketLocation", "s3:ListBucketMultipartUploads"],
      "Resource": ["arn:aws:s3:::$bucket"]
    },
    {
      "Effect": "Allow",
      "Action": [
        "s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"
      ],
      "Resource": ["arn:aws:s3:::$bucket/*"]
    }
  ]
}
JSON
mc --quiet admin policy create line packshot /tmp/policy.json
mc --quiet admin user add line "$PACKSHOT_S3_ACCESS_KEY" "$PACKSHOT_S3_SECRET_KEY"
if ! said=$(mc --quiet admin policy attach line packshot --user "$PACKSHOT_S3_ACCESS_KEY" 2>&1); then
  case $said in
    *"already in effect"*) ;;
    *) echo "$said" >&2; exit 1 ;;
  esac
fi
echo "bucket $bucket and its user are ready"
