package check

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	policy "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
)

// decode reads every object of the manifests with Kubernetes's own types. A field that they do not have is an error.
func decode(t *testing.T) (list []runtime.Object) {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{core.AddToScheme, apps.AddToScheme, policy.AddToScheme} {
		require.NoError(t, add(scheme))
	}
	strict := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
	files, err := filepath.Glob("../kubernetes/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		documents := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(data)))
		for {
			one, err := documents.Read()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err)
			object, _, err := strict.Decode(one, nil, nil)
			require.NoError(t, err, "%s:\n%s", file, one)
			list = append(list, object)
		}
	}
	return list
}

func TestKubernetesUnderstandsTheManifests(t *testing.T) {
	sets, services := map[string]*apps.StatefulSet{}, map[string]*core.Service{}
	for _, o := range decode(t) {
		switch o := o.(type) {
		case *apps.StatefulSet:
			sets[o.Name] = o
		case *core.Service:
			services[o.Name] = o
		}
	}
	require.Len(t, sets, 2)
	for name, set := range sets {
		pod := set.Spec.Template
		require.EqualValues(t, 3, *set.Spec.Replicas, name)
		require.Equal(t, set.Spec.Selector.MatchLabels, pod.Labels, name)
		require.Contains(t, services, set.Spec.ServiceName, name)
		require.True(t, *pod.Spec.SecurityContext.RunAsNonRoot, name)
		c := pod.Spec.Containers[0]
		require.True(t, *c.SecurityContext.ReadOnlyRootFilesystem, name)
		require.NotNil(t, c.ReadinessProbe, name)
		mounted := map[string]bool{}
		for _, v := range pod.Spec.Volumes {
			mounted[v.Name] = true
		}
		for _, v := range set.Spec.VolumeClaimTemplates {
			mounted[v.Name] = true
		}
		for _, m := range c.VolumeMounts {
			require.True(t, mounted[m.Name], "%s mounts %s", name, m.Name)
		}
	}
	for name, s := range services {
		found := false
		for _, set := range sets {
			found = found || set.Spec.Template.Labels["app"] == s.Spec.Selector["app"]
		}
		require.True(t, found, "the service %s selects nobody", name)
	}
}

// configOf returns timd's configuration from the manifests.
func configOf(t *testing.T) []byte {
	t.Helper()
	for _, o := range decode(t) {
		if c, ok := o.(*core.ConfigMap); ok && c.Name == "timd" {
			return bytes.TrimSpace([]byte(c.Data["timd.yaml"]))
		}
	}
	t.Fatal("there is no configuration of timd")
	return nil
}
