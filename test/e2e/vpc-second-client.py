"""Tencent Cloud's Python SDK against the simulated VPC: create, attach, assign, unassign, detach, delete; and an EIP.

Usage: vpc-second-client.py ENDPOINT SECRET_ID SECRET_KEY REGION VPC SUBNET INSTANCE
Prints one JSON line per step.
"""

import json
import sys
import time

from tencentcloud.common import credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.vpc.v20170312 import models, vpc_client

DEADLINE_SECONDS = 30


def main(endpoint, secret_id, secret_key, region, vpc_id, subnet_id, instance_id):
    post = connect(endpoint, secret_id, secret_key, region, "POST")
    get = connect(endpoint, secret_id, secret_key, region, "GET")

    eni = call(
        post.CreateNetworkInterface,
        models.CreateNetworkInterfaceRequest,
        VpcId=vpc_id,
        SubnetId=subnet_id,
        NetworkInterfaceName="second-client",
        SecondaryPrivateIpAddressCount=1,
        Tags=[{"Key": "owner", "Value": "second-client"}],
        ClientToken="second-client-1",
    ).NetworkInterface.NetworkInterfaceId
    until(post, eni, lambda e: e.State == "AVAILABLE")
    step("created", eni=eni)

    on = {"NetworkInterfaceId": eni, "InstanceId": instance_id}
    call(post.AttachNetworkInterface, models.AttachNetworkInterfaceRequest, **on)
    attached = until(post, eni, lambda e: e.State == "AVAILABLE" and e.Attachment is not None)
    step("attached", instance=attached.Attachment.InstanceId, mac=attached.MacAddress)

    assigned = call(
        post.AssignPrivateIpAddresses,
        models.AssignPrivateIpAddressesRequest,
        NetworkInterfaceId=eni,
        SecondaryPrivateIpAddressCount=3,
    ).PrivateIpAddressSet
    full = until(get, eni, lambda e: all(ip.State == "AVAILABLE" for ip in e.PrivateIpAddressSet))
    step("assigned", new=len(assigned), all=len(full.PrivateIpAddressSet))

    call(
        post.UnassignPrivateIpAddresses,
        models.UnassignPrivateIpAddressesRequest,
        NetworkInterfaceId=eni,
        PrivateIpAddresses=[{"PrivateIpAddress": ip.PrivateIpAddress} for ip in assigned],
    )
    rest = until(get, eni, lambda e: len(e.PrivateIpAddressSet) == 2)
    step("unassigned", all=len(rest.PrivateIpAddressSet))

    found = call(
        get.DescribeNetworkInterfaces,
        models.DescribeNetworkInterfacesRequest,
        Filters=[{"Name": "tag:owner", "Values": ["second-client"]}],
        Limit=10,
    )
    step("found", enis=[e.NetworkInterfaceId for e in found.NetworkInterfaceSet])

    eip = bind_eip(post, get, eni, rest.PrivateIpAddressSet[1].PrivateIpAddress)

    refused = None
    try:
        call(post.DeleteNetworkInterface, models.DeleteNetworkInterfaceRequest, NetworkInterfaceId=eni)
    except TencentCloudSDKException as error:
        refused = error.get_code()
    step("refused", code=refused)

    call(post.DetachNetworkInterface, models.DetachNetworkInterfaceRequest, **on)
    until(post, eni, lambda e: e.State == "AVAILABLE" and e.Attachment is None)
    step("detached")

    call(post.DeleteNetworkInterface, models.DeleteNetworkInterfaceRequest, NetworkInterfaceId=eni)
    until(post, eni, lambda e: e is None)
    step("deleted")

    until_eip(get, eip, lambda e: e.AddressStatus == "UNBIND")
    call(post.ReleaseAddresses, models.ReleaseAddressesRequest, AddressIds=[eip])
    until_eip(post, eip, lambda e: e is None)
    step("released")


def bind_eip(post, get, eni, private_ip):
    allocated = call(
        post.AllocateAddresses,
        models.AllocateAddressesRequest,
        InternetChargeType="TRAFFIC_POSTPAID_BY_HOUR",
        InternetMaxBandwidthOut=5,
        Tags=[{"Key": "owner", "Value": "second-client"}],
        ClientToken="second-client-2",
    )
    [eip] = allocated.AddressSet
    until_eip(post, eip, lambda e: e.AddressStatus == "UNBIND")
    tasks = [
        call(client.DescribeTaskResult, models.DescribeTaskResultRequest, TaskId=int(allocated.TaskId)).Result
        for client in (post, get)
    ]
    step("allocated", bandwidth=5, tasks=tasks)

    call(
        post.AssociateAddress,
        models.AssociateAddressRequest,
        AddressId=eip,
        NetworkInterfaceId=eni,
        PrivateIpAddress=private_ip,
    )
    bound = until_eip(get, eip, lambda e: e.AddressStatus == "BIND")
    step("bound", eni=bound.NetworkInterfaceId, instance=bound.InstanceId, private=bound.PrivateAddressIp == private_ip)
    return eip


def connect(endpoint, secret_id, secret_key, region, method):
    http = HttpProfile(protocol="http", endpoint=endpoint, reqMethod=method)
    profile = ClientProfile(httpProfile=http)  # signs with TC3-HMAC-SHA256
    return vpc_client.VpcClient(credential.Credential(secret_id, secret_key), region, profile)


def call(method, request_type, **params):
    request = request_type()
    request.from_json_string(json.dumps(params))
    return method(request)


def until(client, eni, done):
    """Describes the ENI until `done` says so; `None` stands for one that is gone."""
    end = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < end:
        answer = call(
            client.DescribeNetworkInterfaces, models.DescribeNetworkInterfacesRequest, NetworkInterfaceIds=[eni]
        )
        found = answer.NetworkInterfaceSet[0] if answer.NetworkInterfaceSet else None
        if done(found):
            return found
        time.sleep(0.05)
    raise SystemExit(f"{eni} does not settle: {found}")


def until_eip(client, eip, done):
    """As `until`."""
    end = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < end:
        answer = call(client.DescribeAddresses, models.DescribeAddressesRequest, AddressIds=[eip])
        found = answer.AddressSet[0] if answer.AddressSet else None
        if done(found):
            return found
        time.sleep(0.1)
    raise SystemExit(f"{eip} does not settle: {found}")


def step(name, **fields):
    print(json.dumps({"step": name, **fields}), flush=True)


main(*sys.argv[1:])
