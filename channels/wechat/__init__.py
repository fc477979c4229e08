"""WeChat official accounts (公众号), as https://developers.weixin.qq.com/doc/offiaccount documents."""
