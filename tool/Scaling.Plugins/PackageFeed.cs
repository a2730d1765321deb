// One source of packages: what it has, how large it is, and its bytes.
using System.Net;
using System.Net.Http.Headers;
using NuGet.Common;
using NuGet.Configuration;
using NuGet.Packaging;
using NuGet.Packaging.Core;
using NuGet.Protocol;
using NuGet.Protocol.Core.Types;
using NuGet.Versioning;

namespace Scaling.Plugins;

/// <summary>Why a source did not answer.</summary>
internal sealed record FeedFailure(PackageFeed Feed, string Reason, bool Unauthorised);

/// <summary>A source did not answer. It stops at <see cref="PackageSources"/>, which tells all that failed at once.</summary>
internal sealed class FeedException(FeedFailure failure) : Exception(failure.Reason)
{
    public FeedFailure Failure { get; } = failure;
}

internal sealed class PackageFeed(PackageSource source, SourceCacheContext context)
{
    private readonly SourceRepository _repository = Repository.Factory.GetCoreV3(source);
    private readonly Dictionary<string, Task<IReadOnlyList<NuGetVersion>>> _versions = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>A source that failed once is not asked again.</summary>
    private volatile FeedFailure? _failure;

    public string Name => source.Name;

    public string Address => source.Source;

    public bool IsHttp => source.IsHttp;

    public PackageSource Source => source;

    /// <summary>The versions that it has; none where it does not know the package.</summary>
    /// <exception cref="FeedException">It does not answer.</exception>
    public Task<IReadOnlyList<NuGetVersion>> Versions(string id, CancellationToken cancel)
    {
        lock (_versions)
        {
            if (!_versions.TryGetValue(id, out var versions) || versions.IsCanceled)
            {
                _versions[id] = versions = Ask<IReadOnlyList<NuGetVersion>>(
                    id,
                    async () =>
                    {
                        var byId = await Resource<FindPackageByIdResource>(cancel).ConfigureAwait(false);
                        return [.. await byId.GetAllVersionsAsync(id, context, NullLogger.Instance, cancel).ConfigureAwait(false)];
                    },
                    cancel);
            }

            return versions;
        }
    }

    /// <summary>A package's nuspec; null where the source serves none apart from the package, nor parts of the package.</summary>
    /// <exception cref="FeedException">It does not answer.</exception>
    public Task<NuspecReader?> Nuspec(PackageIdentity package, CancellationToken cancel) => Ask<NuspecReader?>(
        $"{package}",
        async () =>
        {
            if (!IsHttp)
            {
                return (await LocalPackage(package, cancel).ConfigureAwait(false))?.Nuspec;
            }

            if (await AddressOf(package, ".nuspec", cancel).ConfigureAwait(false) is not { } address)
            {
                return null;
            }

            return await NuspecFile(address, cancel).ConfigureAwait(false) ?? await NuspecInArchive(package, cancel).ConfigureAwait(false);
        },
        cancel);

    /// <summary>The archive's size; null where the source does not tell.</summary>
    /// <exception cref="FeedException">It does not answer.</exception>
    public Task<long?> Size(PackageIdentity package, CancellationToken cancel) => Ask<long?>(
        $"{package}",
        async () =>
        {
            if (!IsHttp)
            {
                return await LocalPackage(package, cancel).ConfigureAwait(false) is { } local ? SizeOf(new FileInfo(local.Path)) : null;
            }

            if (await AddressOf(package, ".nupkg", cancel).ConfigureAwait(false) is not { } address)
            {
                return null;
            }

            return await (await Http(cancel).ConfigureAwait(false)).ProcessResponseAsync(
                Request(HttpMethod.Head, address),
                response => Task.FromResult(response.IsSuccessStatusCode ? response.Content.Headers.ContentLength : null),
                NullLogger.Instance, cancel).ConfigureAwait(false);
        },
        cancel);

    /// <summary>Where a package's archive lies in a folder feed; null elsewhere.</summary>
    public async Task<string?> LocalPath(PackageIdentity package, CancellationToken cancel) =>
        IsHttp ? null : await Ask($"{package}", async () => (await LocalPackage(package, cancel).ConfigureAwait(false))?.Path, cancel).ConfigureAwait(false);

    /// <summary>The ids of a folder feed; none of others, which would have to be asked for all they have.</summary>
    public async Task<IReadOnlyList<string>> Ids(CancellationToken cancel) => IsHttp
        ? []
        : await Ask<IReadOnlyList<string>>(
            "a package",
            async () =>
            {
                var local = await Resource<FindLocalPackagesResource>(cancel).ConfigureAwait(false);
                return [.. local.GetPackages(NullLogger.Instance, cancel).Select(p => p.Identity.Id).Distinct(StringComparer.OrdinalIgnoreCase)];
            },
            cancel).ConfigureAwait(false);

    /// <summary>The address of an archive that can be asked for in parts; null where the source has no such addresses.</summary>
    public Task<Uri?> ArchiveAddress(PackageIdentity package, CancellationToken cancel) =>
        Ask($"{package}", () => IsHttp ? AddressOf(package, ".nupkg", cancel) : Task.FromResult<Uri?>(null), cancel);

    /// <summary>Sends a request for a part of an archive, with NuGet's credentials, proxy and retries.</summary>
    public async Task<T> Get<T>(Uri address, Action<HttpRequestMessage> ask, Func<HttpResponseMessage, Task<T>> answer, CancellationToken cancel) =>
        await (await Http(cancel).ConfigureAwait(false)).ProcessResponseAsync(Request(HttpMethod.Get, address, ask), answer, NullLogger.Instance, cancel).ConfigureAwait(false);

    /// <summary>Copies an archive from a source of an older protocol, which cannot be asked for parts.</summary>
    public async Task<bool> Copy(PackageIdentity package, Stream to, CancellationToken cancel) => await Ask(
        $"{package}",
        async () =>
        {
            var byId = await Resource<FindPackageByIdResource>(cancel).ConfigureAwait(false);
            using var direct = new SourceCacheContext { DirectDownload = true, NoCache = true };
            return await byId.CopyNupkgToStreamAsync(package.Id, package.Version, to, direct, NullLogger.Instance, cancel).ConfigureAwait(false);
        },
        cancel).ConfigureAwait(false);

    private async Task<NuspecReader?> NuspecFile(Uri address, CancellationToken cancel) =>
        await (await Http(cancel).ConfigureAwait(false)).ProcessResponseAsync<NuspecReader?>(
            Request(HttpMethod.Get, address),
            async response =>
            {
                if (response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.NoContent)
                {
                    return null;
                }

                response.EnsureSuccessStatusCode();
                using var copy = new MemoryStream();
                await response.Content.CopyToAsync(copy, cancel).ConfigureAwait(false);
                copy.Position = 0;
                return new NuspecReader(copy);
            },
            NullLogger.Instance, cancel).ConfigureAwait(false);

    private async Task<NuspecReader?> NuspecInArchive(PackageIdentity package, CancellationToken cancel)
    {
        if (await Size(package, cancel).ConfigureAwait(false) is not { } size || await AddressOf(package, ".nupkg", cancel).ConfigureAwait(false) is not { } address)
        {
            return null;
        }

        return await RemoteNuspec.Read(size, (from, end) => Get(
            address,
            request => request.Headers.Range = new RangeHeaderValue(from, end - 1),
            async response => response.StatusCode == HttpStatusCode.PartialContent && await response.Content.ReadAsByteArrayAsync(cancel).ConfigureAwait(false) is var bytes && bytes.Length == end - from ? bytes : null,
            cancel)).ConfigureAwait(false);
    }

    private async Task<T> Ask<T>(string about, Func<Task<T>> question, CancellationToken cancel)
    {
        if (_failure is { } before)
        {
            throw new FeedException(before);
        }

        if (source is { IsHttp: true, IsHttps: false, AllowInsecureConnections: false })
        {
            throw PackageProblems.Insecure(source);
        }

        try
        {
            return await question().ConfigureAwait(false);
        }
        catch (Exception e) when (!IsHttp && BrokenPackage(e) is { } broken)
        {
            throw PackageProblems.Broken(about, $"{Name} ({Address})", broken.Message.Trim());
        }
        catch (Exception e) when (e is FatalProtocolException or HttpRequestException or IOException or UnauthorizedAccessException or TimeoutException or PackagingException
            || (e is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            _failure = Failure(e);
            throw new FeedException(_failure);
        }
    }

    public FeedFailure Failure(Exception e) => new(this, PackageProblems.Reason(e), StatusOf(e) is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden);

    /// <summary>What is wrong with a package in a folder feed, which reads it to answer; null where something else went wrong.</summary>
    private static Exception? BrokenPackage(Exception? e) => e is null or OperationCanceledException ? null : PackageArchive.IsBroken(e) ? e : BrokenPackage(e.InnerException);

    private static HttpStatusCode? StatusOf(Exception? e) => e is null ? null : e is HttpRequestException { StatusCode: { } status } ? status : StatusOf(e.InnerException);

    /// <summary>Of what is read: a feed may be a folder of links.</summary>
    private static long SizeOf(FileInfo file) => (file.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? file).Length;

    private async Task<LocalPackageInfo?> LocalPackage(PackageIdentity package, CancellationToken cancel)
    {
        var local = await Resource<FindLocalPackagesResource>(cancel).ConfigureAwait(false);
        return local.GetPackage(package, NullLogger.Instance, cancel);
    }

    private async Task<T> Resource<T>(CancellationToken cancel)
        where T : class, INuGetResource =>
        await _repository.GetResourceAsync<T>(cancel).ConfigureAwait(false) ?? throw new FatalProtocolException($"it has no {typeof(T).Name}");

    private async Task<HttpSource> Http(CancellationToken cancel) => (await Resource<HttpSourceResource>(cancel).ConfigureAwait(false)).HttpSource;

    private async Task<Uri?> AddressOf(PackageIdentity package, string extension, CancellationToken cancel)
    {
        var index = await _repository.GetResourceAsync<ServiceIndexResourceV3>(cancel).ConfigureAwait(false);
        if (index?.GetServiceEntryUri(ServiceTypes.PackageBaseAddress) is not { } root)
        {
            return null;
        }

        string id = package.Id.ToLowerInvariant();
        string version = package.Version.ToNormalizedString().ToLowerInvariant();
        string file = extension == ".nuspec" ? id + extension : $"{id}.{version}{extension}";
        return new Uri($"{root.AbsoluteUri.TrimEnd('/')}/{id}/{version}/{file}");
    }

    private static HttpSourceRequest Request(HttpMethod method, Uri address, Action<HttpRequestMessage>? ask = null) => new(() =>
    {
        var message = HttpRequestMessageFactory.Create(method, address, NullLogger.Instance);
        ask?.Invoke(message);
        return message;
    });
}
