// The part of a kubelet that deals with device plugins, and nothing else: its own device manager, with its own registration
// server, checkpoint and pod-resources API, in the directories that a kubelet has them in. Pods come as JSON lines on
// standard input; each is answered by a line on standard output.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"slices"
	"sync"

	"google.golang.org/grpc"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	podresourcesapi "k8s.io/kubelet/pkg/apis/podresources/v1"
	"k8s.io/kubernetes/pkg/kubelet/apis/podresources"
	"k8s.io/kubernetes/pkg/kubelet/cm/containermap"
	"k8s.io/kubernetes/pkg/kubelet/cm/devicemanager"
	"k8s.io/kubernetes/pkg/kubelet/cm/topologymanager"
)

const podResourcesDirectory = "/var/lib/kubelet/pod-resources"

type request struct {
	Do       string `json:"do"`
	Pod      string `json:"pod"`
	Resource string `json:"resource"`
	Count    int64  `json:"count"`
}

type counts struct {
	Capacity    int64 `json:"capacity"`
	Allocatable int64 `json:"allocatable"`
}

type kubelet struct {
	devices *devicemanager.ManagerImpl
	mutex   sync.Mutex
	pods    []*v1.Pod
}

func main() {
	devices, err := devicemanager.NewManagerImpl(nil, topologymanager.NewFakeManager())
	must(err)
	k := &kubelet{devices: devices}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var asked request
		must(json.Unmarshal(lines.Bytes(), &asked))
		given, err := k.serve(asked)
		answer := map[string]any{"give": given}
		if err != nil {
			answer = map[string]any{"error": err.Error()}
		}
		text, err := json.Marshal(answer)
		must(err)
		fmt.Println(string(text))
	}
	must(devices.Stop())
}

func (k *kubelet) serve(asked request) (any, error) {
	switch asked.Do {
	case "add-pod": // one that was there before the kubelet
		k.add(podOf(asked))
		return nil, nil
	case "start":
		ready := sourcesReady{}
		err := k.devices.Start(k.active, ready, containermap.NewContainerMap(), sets.New[string]())
		if err != nil {
			return nil, err
		}
		return nil, k.servePodResources()
	case "resources":
		return k.resources(), nil
	case "allocate":
		pod := podOf(asked)
		k.add(pod)
		if err := k.devices.Allocate(pod, &pod.Spec.Containers[0]); err != nil {
			return nil, err
		}
		ids := []string{}
		for id := range k.devices.GetDevices(asked.Pod, "main")[asked.Resource] {
			ids = append(ids, id)
		}
		slices.Sort(ids)
		return ids, nil
	case "end-pod":
		k.mutex.Lock()
		defer k.mutex.Unlock()
		k.pods = slices.DeleteFunc(k.pods, func(pod *v1.Pod) bool { return pod.Name == asked.Pod })
		return nil, nil
	}
	return nil, fmt.Errorf("cannot do %q", asked.Do)
}

func (k *kubelet) resources() map[string]counts {
	capacity, allocatable, _ := k.devices.GetCapacity()
	all := map[string]counts{}
	for name, quantity := range capacity {
		healthy := allocatable[name]
		all[string(name)] = counts{Capacity: quantity.Value(), Allocatable: healthy.Value()}
	}
	return all
}

func podOf(asked request) *v1.Pod {
	limits := v1.ResourceList{v1.ResourceName(asked.Resource): *resource.NewQuantity(asked.Count, resource.DecimalSI)}
	return &v1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: asked.Pod, Namespace: "default", UID: types.UID(asked.Pod)},
		Spec: v1.PodSpec{Containers: []v1.Container{{
			Name:      "main",
			Resources: v1.ResourceRequirements{Limits: limits, Requests: limits},
		}}},
	}
}

func (k *kubelet) add(pod *v1.Pod) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	if !slices.ContainsFunc(k.pods, func(known *v1.Pod) bool { return known.Name == pod.Name }) {
		k.pods = append(k.pods, pod)
	}
}

func (k *kubelet) active() []*v1.Pod {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	return slices.Clone(k.pods)
}

type sourcesReady struct{}

func (sourcesReady) AddSource(string) {}
func (sourcesReady) AllReady() bool   { return true }

func (k *kubelet) servePodResources() error {
	if err := os.MkdirAll(podResourcesDirectory, 0o750); err != nil {
		return err
	}
	socket := podResourcesDirectory + "/kubelet.sock"
	_ = os.Remove(socket)
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	providers := podresources.PodResourcesProviders{Pods: k, Devices: k, Cpus: k, Memory: k, DynamicResources: k}
	podresourcesapi.RegisterPodResourcesListerServer(server, podresources.NewV1PodResourcesServer(context.Background(), providers))
	go func() { must(server.Serve(listener)) }()
	return nil
}

// What the pod-resources API asks of the parts of a kubelet.

func (k *kubelet) GetActivePods() []*v1.Pod { return k.active() }
func (k *kubelet) GetPods() []*v1.Pod       { return k.active() }
func (k *kubelet) GetPodByName(_, name string) (*v1.Pod, bool) {
	for _, pod := range k.active() {
		if pod.Name == name {
			return pod, true
		}
	}
	return nil, false
}
func (k *kubelet) UpdateAllocatedDevices() { k.devices.UpdateAllocatedDevices() }
func (k *kubelet) GetDevices(pod, container string) []*podresourcesapi.ContainerDevices {
	return listed(k.devices.GetDevices(pod, container))
}
func (k *kubelet) GetAllocatableDevices() []*podresourcesapi.ContainerDevices {
	return listed(k.devices.GetAllocatableDevices())
}
func (k *kubelet) GetCPUs(string, string) []int64                              { return nil }
func (k *kubelet) GetAllocatableCPUs() []int64                                 { return nil }
func (k *kubelet) GetMemory(string, string) []*podresourcesapi.ContainerMemory { return nil }
func (k *kubelet) GetAllocatableMemory() []*podresourcesapi.ContainerMemory    { return nil }
func (k *kubelet) GetDynamicResources(*v1.Pod, *v1.Container) []*podresourcesapi.DynamicResource {
	return nil
}

// Each device on its own, as a kubelet lists them.
func listed(all devicemanager.ResourceDeviceInstances) []*podresourcesapi.ContainerDevices {
	list := []*podresourcesapi.ContainerDevices{}
	for name, devices := range all {
		for id := range devices {
			list = append(list, &podresourcesapi.ContainerDevices{ResourceName: name, DeviceIds: []string{id}})
		}
	}
	return list
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
