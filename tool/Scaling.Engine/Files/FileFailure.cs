// What the C library could not do, as the exception that .NET would have thrown.
using System.Runtime.InteropServices;

namespace Scaling.Engine.Files;

internal static class FileFailure
{
    /// <summary>The last call's; its <c>HResult</c> is the error number, as in .NET's own.</summary>
    /// <param name="what">Could not be done.</param>
    public static IOException Last(string what)
    {
        int error = Marshal.GetLastPInvokeError();
        return new IOException($"{what}: {Marshal.GetPInvokeErrorMessage(error)}", error);
    }
}
